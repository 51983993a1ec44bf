//! What was freed is kept for the next packet, instead of going back to the kernel.
//!
//! glibc gives memory back as soon as 128 KiB at the end of a heap are free. Every packet of a bulk transfer is such memory, and
//! then comes back as page faults: some fifteen thousand for each GiB, in those processes whose heap happens to end there.

use std::hint::black_box;

/// As large as everything that one connection holds at a time, or larger.
const BLOCK: usize = 4 << 20;

/// From here on glibc keeps up to twice the size of the largest block that it has mapped on its own, and that was freed:
/// `M_MMAP_THRESHOLD` in mallopt(3). This one is never touched, so it takes no memory. Other allocators do not mind.
pub(super) fn keep() {
    drop(black_box(Vec::<u8>::with_capacity(black_box(BLOCK))));
}

#[cfg(test)]
#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod tests {
    use super::*;

    /// Pages that the kernel had to hand to this thread, the tenth field of its `stat` (`proc_pid_stat(5)`).
    fn page_faults() -> usize {
        let stat = std::fs::read_to_string("/proc/thread-self/stat").unwrap();
        // The name of the thread is in parentheses and may hold anything.
        let (_, fields) = stat.rsplit_once(") ").unwrap();
        fields.split(' ').nth(7).unwrap().parse().unwrap()
    }

    #[test]
    fn packets_find_the_memory_of_those_before_them() {
        const ROUNDS: usize = 50;
        let pages_in_a_round = (16 * (64 << 10)) / 4096;
        let packets = || drop(black_box((0..16).map(|_| vec![7_u8; 64 << 10]).collect::<Vec<_>>()));
        keep();
        packets();
        let before = page_faults();
        (0..ROUNDS).for_each(|_| packets());
        let faults = page_faults() - before;
        assert!(faults < ROUNDS * pages_in_a_round / 10, "{faults}");
    }
}
