//! A thread that stays on the processor on which it is. It goes where it likes again when this is dropped.
//!
//! Only Linux can be told so. Elsewhere there is nothing to tell.

#[cfg(target_os = "linux")]
pub(super) use linux::Stay;

#[cfg(not(target_os = "linux"))]
pub(super) struct Stay;

#[cfg(not(target_os = "linux"))]
impl Stay {
    /// The present thread does as it likes.
    pub(super) fn here() -> Option<Self> {
        None
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use std::path::PathBuf;

    use nix::sched::{CpuSet, sched_getaffinity, sched_getcpu, sched_setaffinity};
    use nix::unistd::{Pid, gettid};

    /// A thread that was told to stay.
    pub(in super::super) struct Stay {
        thread: Pid,
        /// Where it may go otherwise.
        anywhere: CpuSet,
    }

    impl Stay {
        /// The present thread stays where it is. `None` where it has no choice anyway, or is staying already.
        pub(in super::super) fn here() -> Option<Self> {
            let thread = gettid();
            let anywhere = sched_getaffinity(thread).ok()?;
            let mut here = CpuSet::new();
            here.set(sched_getcpu().ok()?).ok()?;
            if here == anywhere {
                return None;
            }
            sched_setaffinity(thread, &here).ok()?;
            Some(Self { thread, anywhere })
        }
    }

    impl Drop for Stay {
        fn drop(&mut self) {
            // The number of a thread that has ended may be somebody else's by now.
            let is_ours = || PathBuf::from(format!("/proc/self/task/{}", self.thread)).exists();
            if self.thread == gettid() || is_ours() {
                // Where it fails it stays, which slows nothing down by much.
                _ = sched_setaffinity(self.thread, &self.anywhere);
            }
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        fn processors(thread: Pid) -> usize {
            let set = sched_getaffinity(thread).unwrap();
            (0..CpuSet::count()).filter(|&processor| set.is_set(processor).unwrap()).count()
        }

        #[test]
        fn a_thread_stays_until_it_is_let_go() {
            let all = processors(gettid());
            let stay = Stay::here();
            assert_eq!(stay.is_some(), all > 1);
            assert_eq!(processors(gettid()), 1);
            assert!(Stay::here().is_none(), "it stays already");
            assert_eq!(processors(gettid()), 1);
            drop(stay);
            assert_eq!(processors(gettid()), all);
        }

        #[test]
        fn it_can_be_let_go_by_another_thread() {
            let all = processors(gettid());
            let stay = Stay::here();
            std::thread::scope(|scope| scope.spawn(|| drop(stay)).join().unwrap());
            assert_eq!(processors(gettid()), all);
        }

        #[test]
        fn a_thread_that_has_ended_is_nobodys_business() {
            let mut stay = std::thread::spawn(Stay::here).join().unwrap();
            if let Some(stay) = &mut stay {
                // A thread of another process, which would not like it.
                stay.thread = nix::unistd::getppid();
                stay.anywhere = CpuSet::new();
                stay.anywhere.set(sched_getcpu().unwrap()).unwrap();
            }
            let before = sched_getaffinity(nix::unistd::getppid()).unwrap();
            drop(stay);
            assert_eq!(sched_getaffinity(nix::unistd::getppid()).unwrap(), before);
        }
    }
}
