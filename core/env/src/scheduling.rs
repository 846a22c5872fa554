//! When a thread that is woken gets a processor.
#![cfg_attr(
    target_os = "linux",
    allow(unsafe_code, reason = "one call of the system has no safe face")
)]

use std::io;

/// Lets the calling thread wait, when it is woken, until a processor is free or the thread that runs there has had its turn, instead of
/// interrupting it (`SCHED_BATCH`). On an idle machine nothing changes; on a busy one the thread is woken less often, for more work.
///
/// Other systems than Linux have no such thing, and nothing happens there.
pub fn never_interrupt_others() -> io::Result<()> {
    #[cfg(target_os = "linux")]
    {
        let of_calling_thread = 0;
        let parameters = libc::sched_param { sched_priority: 0 };
        // SAFETY: the call reads the parameters, which are there for it.
        let result = unsafe {
            libc::sched_setscheduler(of_calling_thread, libc::SCHED_BATCH, &raw const parameters)
        };
        if result != 0 {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn only_the_calling_thread_is_changed() {
        // SAFETY: the call takes a number and returns one.
        let policy = || unsafe { libc::sched_getscheduler(0) };
        let changed = std::thread::spawn(move || {
            never_interrupt_others().unwrap();
            policy()
        });
        assert_eq!(changed.join().unwrap(), libc::SCHED_BATCH);
        assert_eq!(policy(), libc::SCHED_OTHER);
    }
}
