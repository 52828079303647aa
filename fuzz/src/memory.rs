//! How much memory something takes at once.

/// Does `work`, and asserts that it never holds more than `bound` bytes more than before.
pub(crate) fn within<T>(bound: usize, work: impl FnOnce() -> T) -> T {
    let mut result = None;
    let allocations = allocation_counter::measure(|| result = Some(work()));
    let most = allocations.bytes_max;
    assert!(most <= bound as u64, "{most} bytes of memory, where {bound} were to be enough");
    result.expect("it was done")
}
