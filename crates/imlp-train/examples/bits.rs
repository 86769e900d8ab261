use imlp_linear::Alpha;
use imlp_train::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
const TINY: &str = r#"
prior.kind = "custom"
prior.layers = [{ type = "conv2d", channels = 2, kernel = 4, stride = 4 }, { type = "relu" }, { type = "linear" }]
train.epochs = 2
train.batch_size = 32
evaluation.train_images = 50
data.validation_fraction = 0.85
"#;
const MIXER: &str = r#"
prior.kind = "mixer"
prior.blocks = 1
prior.channels = 4
train.epochs = 2
train.batch_size = 64
evaluation.train_images = 50
data.validation_fraction = 0.9
"#;
struct Watch(AtomicU64, u64);
impl Observer for Watch {
    fn steps(&self, n: u64) {
        self.0.fetch_add(n, Ordering::SeqCst);
    }
    fn cancelled(&self) -> bool {
        self.0.load(Ordering::SeqCst) >= self.1
    }
}
struct Disk(std::path::PathBuf);
impl Checkpoints for Disk {
    fn load(&self) -> Result<Option<WeightsFile>, TrainError> {
        if self.0.exists() {
            Ok(Some(WeightsFile::read(&self.0)?))
        } else {
            Ok(None)
        }
    }
    fn due(&self, _: u32) -> bool {
        false
    }
    fn save(&self, s: &WeightsFile) -> Result<(), TrainError> {
        std::fs::write(&self.0, s.to_bytes().unwrap()).unwrap();
        Ok(())
    }
}
fn hash(p: &HostParameters) -> u64 {
    let mut h = 0xcbf29ce484222325u64;
    for v in p.iter().flatten() {
        h = (h ^ u64::from(v.to_bits())).wrapping_mul(0x100000001b3);
    }
    h
}
fn strip(v: impl serde::Serialize) -> String {
    let mut v = serde_json::to_value(v).unwrap();
    v.as_object_mut()
        .unwrap()
        .retain(|k, _| !k.contains("second"));
    v.to_string()
}
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let mode = args.get(1).map_or("run", String::as_str);
    let folder = args.get(2).cloned().unwrap_or_default();
    let all = imlp_data::load("fashion-mini", &imlp_data::LoadOptions::default()).unwrap();
    let data = Arc::new(all);
    let flex = Backend::Burn(Device::flex());
    let cases: Vec<(&str, &str, &str, Backend)> = vec![
        ("plain", TINY, "", Backend::Cpu),
        ("every", TINY, "interpolation.every=30", Backend::Cpu),
        (
            "within",
            TINY,
            "interpolation.every=30\nevaluation.within_epoch=false",
            Backend::Cpu,
        ),
        (
            "testtime",
            TINY,
            "interpolation.timing=\"test-time\"",
            Backend::Cpu,
        ),
        (
            "frozen",
            TINY,
            "prior.training=\"frozen\"\ninterpolation.every=30",
            Backend::Cpu,
        ),
        (
            "untrained",
            TINY,
            "prior.training=\"untrained\"",
            Backend::Cpu,
        ),
        (
            "adamw",
            TINY,
            "train.optimizer=\"adamw\"\ntrain.learning_rate=0.001",
            Backend::Cpu,
        ),
        (
            "adamwscale",
            TINY,
            "train.optimizer=\"adamw\"\ntrain.learning_rate=0.001\ninterpolation.optimizer_state=\"scale\"",
            Backend::Cpu,
        ),
        (
            "scale",
            TINY,
            "interpolation.optimizer_state=\"scale\"\ninterpolation.biases=false",
            Backend::Cpu,
        ),
        (
            "keep",
            TINY,
            "interpolation.optimizer_state=\"keep\"\nevaluation.test=\"always\"",
            Backend::Cpu,
        ),
        (
            "diverge",
            TINY,
            "train.learning_rate=30.0\ninterpolation.every=20",
            Backend::Cpu,
        ),
        (
            "diverge2",
            TINY,
            "train.learning_rate=30.0\nprior.learning_rate=0.01",
            Backend::Cpu,
        ),
        ("mixer", MIXER, "", Backend::Cpu),
        (
            "bf16",
            TINY,
            "train.precision=\"bf16-emulated\"",
            Backend::Cpu,
        ),
        (
            "flex",
            TINY,
            "interpolation.optimizer_state=\"scale\"",
            flex.clone(),
        ),
        (
            "flexadamw",
            TINY,
            "train.optimizer=\"adamw\"\ntrain.learning_rate=0.001\ninterpolation.optimizer_state=\"scale\"",
            flex,
        ),
    ];
    for (name, base, more, backend) in cases {
        let config: TrialConfig = toml::from_str(&format!("{base}\n{more}")).unwrap();
        let setup = Setup::new(config, Arc::clone(&data), backend).unwrap();
        if mode == "run" {
            let prior = train_prior(&setup, 3, &Unobserved).unwrap();
            println!(
                "{name} prior {} {:?}",
                strip(&prior.record),
                prior.snapshots.iter().map(hash).collect::<Vec<_>>()
            );
            for a in [0.0, 0.1, 0.9, 1.0] {
                let t = run_trial(&setup, Alpha::new(a).unwrap(), 3, Some(&prior), &Unobserved)
                    .unwrap();
                println!("{name} {a} {:x} {}", hash(&t.parameters), strip(&t.record));
            }
            println!("{name} cost {:?}", Cost::of(&setup));
        } else {
            // Stop in the middle of the second epoch, or go on from there.
            let never = u64::MAX;
            let stop = if mode == "save" {
                setup.twin_steps() * 7 / 10
            } else {
                never
            };
            let disk = |what: &str| Disk(format!("{folder}/{name}-{what}.safetensors").into());
            let w = Watch(AtomicU64::new(0), stop);
            match continue_prior(&setup, 3, &w, &disk("prior")) {
                Ok(p) => println!(
                    "{name} prior {} {:?} steps {:?}",
                    strip(&p.record),
                    p.snapshots.iter().map(hash).collect::<Vec<_>>(),
                    w.0
                ),
                Err(e) => println!("{name} prior {e}"),
            }
            let prior = train_prior(&setup, 3, &Unobserved).unwrap();
            let w = Watch(AtomicU64::new(0), stop);
            match continue_trial(
                &setup,
                Alpha::new(0.9).unwrap(),
                3,
                Some(&prior),
                &w,
                &disk("trial"),
            ) {
                Ok(t) => println!(
                    "{name} 0.9 {:x} {} steps {:?}",
                    hash(&t.parameters),
                    strip(&t.record),
                    w.0
                ),
                Err(e) => println!("{name} 0.9 {e}"),
            }
        }
    }
}
