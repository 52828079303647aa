//! How much memory something takes at once.

/// Does `work`, and asserts that it never holds more than `bound` bytes more than before.
pub(crate) fn within<T>(bound: usize, work: impl FnOnce() -> T) -> T {
    let mut result = None;
    let allocations = allocation_counter::measure(|| result = Some(work()));
    let most = allocations.bytes_max;
    assert!(most <= bound as u64, "{most} bytes of memory, where {bound} were to be enough");
    result.expect("it was done")
}

/// Enough for what packets of these bytes come to: the nodes of their trees take some hundred bytes for each, and are there more than once; what is made once
/// comes with the first.
pub(crate) const fn of(bytes: &[u8]) -> usize {
    2 * 1024 * 1024 + 1_024 * bytes.len()
}

/// Enough for what documents of so many bytes come to, and what is said of each mistake in them.
pub(crate) const fn of_documents(bytes: &[u8]) -> usize {
    32 * 1024 * 1024 + 4 * 1_024 * bytes.len()
}
