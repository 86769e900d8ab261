//! Downloading one file over HTTP.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::time::Duration;

use md5::{Digest, Md5};

use super::event::FetchEvent;
use crate::error::DataError;

/// Tries for each file; only failures that may pass are retried.
const ATTEMPTS: u32 = 3;
/// Pause before the first retry; doubled before each further one.
const PAUSE: Duration = Duration::from_millis(if cfg!(test) { 1 } else { 1000 });
/// To find the host and connect to it.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// From the request to the start of the answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
/// For the whole file: 170 MB at 100 kB/s.
const BODY_TIMEOUT: Duration = Duration::from_secs(30 * 60);
/// Bytes between two reports of progress.
const CHUNK: usize = 1 << 18;

/// Downloads `url` to the file `to`, at most `limit` bytes, and compares its MD5.
///
/// Proxies are taken from the usual environment variables (`HTTPS_PROXY` …).
pub(super) fn download(
    url: &str,
    to: &Path,
    limit: u64,
    md5: &str,
    progress: &mut dyn FnMut(FetchEvent<'_>),
) -> Result<(), DataError> {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_resolve(Some(CONNECT_TIMEOUT))
        .timeout_connect(Some(CONNECT_TIMEOUT))
        .timeout_recv_response(Some(ANSWER_TIMEOUT))
        .timeout_recv_body(Some(BODY_TIMEOUT))
        .user_agent(concat!("imlp/", env!("CARGO_PKG_VERSION")))
        .build()
        .into();
    let mut pause = PAUSE;
    for attempt in 1.. {
        match try_once(&agent, url, to, limit, md5, progress) {
            Err(Failure::MayPass(_)) if attempt < ATTEMPTS => {
                std::thread::sleep(pause);
                pause *= 2;
            }
            Ok(()) => break,
            Err(Failure::MayPass(reason)) => {
                let reason = format!("{reason} ({ATTEMPTS} attempts)");
                return Err(DataError::source_failed(url, reason));
            }
            Err(Failure::Final(error)) => return Err(error),
        }
    }
    Ok(())
}

enum Failure {
    /// Worth another try.
    MayPass(String),
    /// Not worth one.
    Final(DataError),
}

fn try_once(
    agent: &ureq::Agent,
    url: &str,
    to: &Path,
    limit: u64,
    md5: &str,
    progress: &mut dyn FnMut(FetchEvent<'_>),
) -> Result<(), Failure> {
    let refused = |reason: String| Failure::Final(DataError::source_failed(url, reason));
    let mut response = agent.get(url).call().map_err(|error| {
        if may_pass(&error) {
            Failure::MayPass(error.to_string())
        } else {
            refused(error.to_string())
        }
    })?;
    let total = response.body().content_length();
    if total.is_some_and(|total| total > limit) {
        return Err(refused(format!(
            "{} bytes announced, at most {limit} expected",
            total.unwrap_or(0)
        )));
    }
    let failed = |action| {
        let wrap = DataError::io(action, to);
        move |error| Failure::Final(wrap(error))
    };
    let mut file = File::create(to).map_err(failed("create"))?;
    let name = url.rsplit('/').next().unwrap_or(url);
    let mut body = response.body_mut().as_reader();
    let mut hasher = Md5::new();
    let mut buffer = vec![0; CHUNK];
    let mut done = 0;
    loop {
        let n = body
            .read(&mut buffer)
            .map_err(|error| Failure::MayPass(error.to_string()))?;
        if n == 0 {
            break;
        }
        done += n as u64;
        if done > limit {
            return Err(refused(format!("more than {limit} bytes")));
        }
        hasher.update(&buffer[..n]);
        file.write_all(&buffer[..n]).map_err(failed("write"))?;
        progress(FetchEvent::Bytes {
            file: name,
            done,
            total,
        });
    }
    if total.is_some_and(|total| done < total) {
        return Err(Failure::MayPass(format!(
            "the connection ended after {done} bytes"
        )));
    }
    let found = hex::encode(hasher.finalize());
    if found != md5 {
        return Err(refused(format!("MD5 {md5} expected, {found} found")));
    }
    Ok(())
}

/// Whether the same request may succeed a little later. A host that cannot be found or that does
/// not answer within the time-out will not do so in a second either.
fn may_pass(error: &ureq::Error) -> bool {
    use std::io::ErrorKind;
    match error {
        ureq::Error::StatusCode(code) => matches!(code, 408 | 429 | 500..=599),
        ureq::Error::Io(error) => matches!(
            error.kind(),
            ErrorKind::ConnectionReset
                | ErrorKind::ConnectionAborted
                | ErrorKind::BrokenPipe
                | ErrorKind::UnexpectedEof
        ),
        _ => false,
    }
}
