//! The most multiply-adds that this machine's cores do in vector registers when they
//! load nothing: what the speed of products is a fraction of, but with AMX.
//!
//! ```sh
//! cargo run --release -p imlp-kernels --example peak -- 2
//! ```
//!
//! The argument: how many threads. It prints one line of JSON, in GFLOP/s over all
//! of them.

#[cfg(target_arch = "x86_64")]
fn main() {
    use std::arch::x86_64::*;
    use std::hint::black_box;

    /// Enough independent sums to hide the latency of one.
    const SUMS: usize = 12;
    const ROUNDS: usize = 40_000_000;

    macro_rules! peak {
        ($name:ident, $feature:literal, $zero:ident, $set:ident, |$sum:ident, $x:ident| $step:expr) => {
            #[target_feature(enable = $feature)]
            fn $name() {
                let $x = $set(black_box(1.0));
                let mut sums = [$zero(); SUMS];
                for _ in 0..ROUNDS {
                    for sum in &mut sums {
                        let $sum = *sum;
                        *sum = $step;
                    }
                }
                black_box(sums);
            }
        };
    }
    peak!(
        avx2,
        "avx2,fma",
        _mm256_setzero_ps,
        _mm256_set1_ps,
        |sum, x| _mm256_fmadd_ps(x, x, sum)
    );
    peak!(
        avx512,
        "avx512f",
        _mm512_setzero_ps,
        _mm512_set1_ps,
        |sum, x| _mm512_fmadd_ps(x, x, sum)
    );
    peak!(
        bf16,
        "avx512f,avx512bf16",
        _mm512_setzero_ps,
        _mm512_set1_ps,
        |sum, x| {
            // SAFETY: both types are 512 bits of anything.
            let pairs: __m512bh = unsafe { std::mem::transmute(x) };
            _mm512_dpbf16_ps(sum, pairs, pairs)
        }
    );

    let threads: usize = std::env::args()
        .nth(1)
        .and_then(|n| n.parse().ok())
        .unwrap_or(1);
    let speed = |run: unsafe fn(), lanes: usize| {
        let started = std::time::Instant::now();
        std::thread::scope(|scope| {
            for _ in 0..threads {
                // SAFETY: called only where the instructions were found.
                scope.spawn(|| unsafe { run() });
            }
        });
        let flop = 2.0 * (threads * ROUNDS * SUMS * lanes) as f64;
        flop / started.elapsed().as_secs_f64() / 1e9
    };
    let mut f32_peak = None;
    if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
        f32_peak = Some(speed(avx2, 8));
    }
    if is_x86_feature_detected!("avx512f") {
        f32_peak = Some(speed(avx512, 16));
    }
    let bf16_peak = is_x86_feature_detected!("avx512bf16").then(|| speed(bf16, 32));
    let json = |peak: Option<f64>| peak.map_or("null".to_owned(), |peak| format!("{peak:.1}"));
    println!(
        "{{\"f32\": {}, \"bf16\": {}}}",
        json(f32_peak),
        json(bf16_peak)
    );
}

#[cfg(not(target_arch = "x86_64"))]
fn main() {
    println!("{{\"f32\": null, \"bf16\": null}}");
}
