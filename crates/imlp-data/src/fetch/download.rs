//! Downloading one file over HTTP.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use md5::{Digest, Md5};

use super::event::FetchEvent;
use crate::error::DataError;

/// Attempts for each file; only transient failures are retried.
const ATTEMPTS: u32 = 3;
/// Pause before the first retry; doubled before each further one.
const PAUSE: Duration = Duration::from_millis(if cfg!(test) { 1 } else { 1000 });
/// To find the host and connect to it.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// From the request to the start of the response.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
/// For the whole file: 170 MB at 100 kB/s.
const BODY_TIMEOUT: Duration = Duration::from_secs(30 * 60);
/// Time in which [`LEAST_BYTES`] must arrive, else the connection is given up: one that drips or
/// stands still would be waited for until [`BODY_TIMEOUT`].
const WINDOW: Duration = Duration::from_millis(if cfg!(test) { 2_000 } else { 30_000 });
/// 10 kB/s, a tenth of what [`BODY_TIMEOUT`] allows the largest file.
const LEAST_BYTES: u64 = 300_000;
/// Bytes between two reports of progress.
const CHUNK: usize = 1 << 18;

/// Downloads `url` to the file `to`, at most `limit` bytes, and compares its MD5.
///
/// A connection that brings fewer than [`LEAST_BYTES`] in a [`WINDOW`] is given up.
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
            Err(Failure::Transient(_)) if attempt < ATTEMPTS => {
                std::thread::sleep(pause);
                pause *= 2;
            }
            Ok(()) => break,
            Err(Failure::Transient(reason)) => {
                let reason = format!("{reason} ({ATTEMPTS} attempts)");
                return Err(DataError::source_failed(url, reason));
            }
            Err(Failure::Permanent(error)) => return Err(error),
        }
    }
    Ok(())
}

enum Failure {
    /// Worth another attempt.
    Transient(String),
    /// Permanent.
    Permanent(DataError),
}

fn try_once(
    agent: &ureq::Agent,
    url: &str,
    to: &Path,
    limit: u64,
    md5: &str,
    progress: &mut dyn FnMut(FetchEvent<'_>),
) -> Result<(), Failure> {
    let refused = |reason: String| Failure::Permanent(DataError::source_failed(url, reason));
    let response = agent.get(url).call().map_err(|error| {
        if is_transient(&error) {
            Failure::Transient(error.to_string())
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
        move |error| Failure::Permanent(wrap(error))
    };
    let mut file = File::create(to).map_err(failed("create"))?;
    let name = url.rsplit('/').next().unwrap_or(url);
    let body = pieces(response.into_body().into_reader());
    let mut hasher = Md5::new();
    let mut done = 0;
    let mut pace = Pace::new();
    loop {
        let piece = match body.recv_timeout(pace.left()) {
            Ok(Ok(piece)) => piece,
            Ok(Err(error)) if error.kind() == io::ErrorKind::TimedOut => {
                return Err(refused(format!(
                    "{done} bytes after {} min, which is too slow",
                    BODY_TIMEOUT.as_secs() / 60
                )));
            }
            Ok(Err(error)) => return Err(Failure::Transient(error.to_string())),
            Err(RecvTimeoutError::Timeout) => {
                pace.next().map_err(refused)?;
                continue;
            }
            Err(RecvTimeoutError::Disconnected) => {
                return Err(Failure::Transient("the download broke off".to_owned()));
            }
        };
        if piece.is_empty() {
            break;
        }
        pace.arrived += piece.len() as u64;
        done += piece.len() as u64;
        if done > limit {
            return Err(refused(format!("more than {limit} bytes")));
        }
        hasher.update(&piece);
        file.write_all(&piece).map_err(failed("write"))?;
        progress(FetchEvent::Bytes {
            file: name,
            done,
            total,
        });
    }
    if total.is_some_and(|total| done < total) {
        return Err(Failure::Transient(format!(
            "the connection ended after {done} bytes"
        )));
    }
    let found = hex::encode(hasher.finalize());
    if found != md5 {
        return Err(refused(format!("MD5 {md5} expected, {found} found")));
    }
    Ok(())
}

/// Reads a body piece by piece on a thread of its own, because a read that waits cannot be given
/// up; the last piece is empty or an error. The thread ends at the latest at [`BODY_TIMEOUT`].
fn pieces(mut body: impl Read + Send + 'static) -> Receiver<io::Result<Vec<u8>>> {
    let (sender, receiver) = sync_channel(2);
    std::thread::spawn(move || {
        let mut buffer = vec![0; CHUNK];
        loop {
            let piece = body.read(&mut buffer).map(|n| buffer[..n].to_vec());
            let is_last = piece.as_ref().map_or(true, Vec::is_empty);
            if sender.send(piece).is_err() || is_last {
                return;
            }
        }
    });
    receiver
}

/// What has arrived in the current [`WINDOW`].
struct Pace {
    start: Instant,
    arrived: u64,
}

impl Pace {
    fn new() -> Self {
        Self {
            start: Instant::now(),
            arrived: 0,
        }
    }

    /// Time until the window ends.
    fn left(&self) -> Duration {
        WINDOW.saturating_sub(self.start.elapsed())
    }

    /// Begins another window, unless this one brought too little.
    fn next(&mut self) -> Result<(), String> {
        if self.arrived < LEAST_BYTES {
            return Err(format!(
                "too slow: {} bytes in {} s, less than {} kB/s",
                self.arrived,
                WINDOW.as_secs_f64(),
                LEAST_BYTES / 1000 / 30
            ));
        }
        *self = Self::new();
        Ok(())
    }
}

/// Whether the same request may succeed a little later. A host that cannot be found or that does
/// not answer within the time-out will not do so in a second either.
fn is_transient(error: &ureq::Error) -> bool {
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
