//! The scheduling of a thread that is woken.
#![cfg_attr(
    target_os = "linux",
    allow(unsafe_code, reason = "one call of the system has no safe face")
)]

use std::io;

/// Whether a woken thread preempts the running one if no processor is free.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wake {
    /// Preempts the running thread according to the default policy (`SCHED_OTHER`).
    AtOnce,
    /// Waits until the running thread has used its time slice (`SCHED_BATCH`), so the thread is woken less often and
    /// for more work.
    InTurn,
}

/// Sets how the calling thread is woken from now on. It makes no difference while a processor is free. A thread with
/// another policy (real-time, idle) keeps it.
///
/// Only Linux supports this; elsewhere nothing happens.
pub fn wake_this_thread(how: Wake) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    {
        let policy = match how {
            Wake::AtOnce => libc::SCHED_OTHER,
            Wake::InTurn => libc::SCHED_BATCH,
        };
        let calling_thread = 0;
        // SAFETY: the call takes a number and returns one.
        let current = unsafe { libc::sched_getscheduler(calling_thread) };
        if ![libc::SCHED_OTHER, libc::SCHED_BATCH].contains(&current) {
            return Ok(());
        }
        let parameters = libc::sched_param { sched_priority: 0 };
        // SAFETY: the call reads the parameters, which are valid.
        let result =
            unsafe { libc::sched_setscheduler(calling_thread, policy, &raw const parameters) };
        if result != 0 {
            return Err(io::Error::last_os_error());
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = how;
    Ok(())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn only_the_calling_thread_is_changed_and_it_can_be_changed_back() {
        // SAFETY: the call takes a number and returns one.
        let policy = || unsafe { libc::sched_getscheduler(0) };
        let changed = std::thread::spawn(move || {
            wake_this_thread(Wake::InTurn).unwrap();
            let before = policy();
            wake_this_thread(Wake::AtOnce).unwrap();
            (before, policy())
        });
        let policies = changed.join().unwrap();
        assert_eq!(policies, (libc::SCHED_BATCH, libc::SCHED_OTHER));
        assert_eq!(policy(), libc::SCHED_OTHER);
    }

    #[test]
    fn other_policies_are_kept() {
        let parameters = libc::sched_param { sched_priority: 0 };
        let chosen = std::thread::spawn(move || {
            // SAFETY: the calls read valid parameters, or take a number.
            unsafe {
                assert_eq!(
                    libc::sched_setscheduler(0, libc::SCHED_IDLE, &raw const parameters),
                    0
                );
                wake_this_thread(Wake::InTurn).unwrap();
                wake_this_thread(Wake::AtOnce).unwrap();
                libc::sched_getscheduler(0)
            }
        });
        assert_eq!(chosen.join().unwrap(), libc::SCHED_IDLE);
    }
}
