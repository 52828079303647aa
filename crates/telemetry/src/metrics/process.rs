//! What Linux says of the process, under the names that Prometheus' own libraries use.

use opentelemetry::metrics::Meter;
use rustix::param::{clock_ticks_per_second, page_size};
use rustix::process::{Resource, getrlimit};
use std::fs;

/// Observes the process from now on.
pub(super) fn observe(meter: &Meter) {
    let _ = meter
        .f64_observable_counter("process.cpu")
        .with_unit("s")
        .with_description("CPU time of the process")
        .with_callback(|seen| {
            if let Some(seconds) = cpu_seconds() {
                seen.observe(seconds, &[]);
            }
        })
        .build();
    let _ = meter
        .u64_observable_gauge("process.resident_memory")
        .with_unit("By")
        .with_description("Memory of the process that is in RAM")
        .with_callback(|seen| {
            if let Some(bytes) = resident_bytes() {
                seen.observe(bytes, &[]);
            }
        })
        .build();
    let _ = meter
        .u64_observable_gauge("process.open_fds")
        .with_description("Descriptors that are open")
        .with_callback(|seen| {
            if let Ok(descriptors) = fs::read_dir("/proc/self/fd") {
                seen.observe(descriptors.count() as u64, &[]);
            }
        })
        .build();
    let _ = meter
        .u64_observable_gauge("process.max_fds")
        .with_description("Descriptors that may be open")
        .with_callback(|seen| {
            if let Some(most) = getrlimit(Resource::Nofile).current {
                seen.observe(most, &[]);
            }
        })
        .build();
}

/// Time in the program and in the kernel, the 14th and 15th field of `/proc/self/stat` (proc(5)).
#[expect(clippy::cast_precision_loss, reason = "2^53 ticks are some million years")]
fn cpu_seconds() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The second field is the program's name in brackets, which may hold anything.
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace().skip(11);
    let ticks = fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?;
    Some(ticks as f64 / clock_ticks_per_second() as f64)
}

/// The second field of `/proc/self/statm` (proc(5)), which counts pages.
fn resident_bytes() -> Option<u64> {
    let statm = fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = statm.split_ascii_whitespace().nth(1)?.parse().ok()?;
    Some(pages * page_size() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_tells_of_the_process() {
        let before = cpu_seconds().unwrap();
        let mut sum = 0_u64;
        while cpu_seconds().unwrap() < before + 0.05 {
            sum = std::hint::black_box(sum + 1);
        }
        let bytes = resident_bytes().unwrap();
        assert!((1 << 18..1 << 34).contains(&bytes), "{bytes}");
    }
}
