//! The processor of this machine.

/// The processor as it names itself.
pub fn processor() -> String {
    let mut system = sysinfo::System::new();
    system.refresh_cpu_all();
    let first = system
        .cpus()
        .first()
        .map(|cpu| cpu.brand().trim().to_owned());
    first.unwrap_or_else(|| "unknown processor".to_owned())
}
