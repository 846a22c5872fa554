//! The limit of open files and sockets of this process.

use std::io;

use rustix::io::Errno;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises the soft limit of open files and sockets (`RLIMIT_NOFILE`) to the hard limit. Returns the limit; [`u64::MAX`]
/// if there is none.
///
/// For programs that serve many connections, not for libraries: the limit belongs to the whole process.
pub fn allow_most_open_files() -> io::Result<u64> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current != maximum {
        let most = Rlimit {
            current: maximum,
            maximum,
        };
        setrlimit(Resource::Nofile, most)?;
    }
    Ok(maximum.unwrap_or(u64::MAX))
}

/// The current limit of open files and sockets; [`u64::MAX`] if there is none.
pub fn open_files_max() -> u64 {
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

/// Whether a call failed because the process or the system is out of file descriptors. The call had no effect and can
/// be retried.
pub fn is_out_of_files(error: &io::Error) -> bool {
    let codes = [Errno::MFILE, Errno::NFILE].map(Errno::raw_os_error);
    error
        .raw_os_error()
        .is_some_and(|code| codes.contains(&code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_soft_limit_becomes_the_hard_one() {
        let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
        let low = current.unwrap_or(1024).min(256);
        let soft = Rlimit {
            current: Some(low),
            maximum,
        };
        setrlimit(Resource::Nofile, soft).unwrap();
        let allowed = allow_most_open_files().unwrap();
        assert_eq!(allowed, maximum.unwrap_or(u64::MAX));
        assert_eq!(getrlimit(Resource::Nofile).current, maximum);
        assert_eq!(open_files_max(), allowed);
    }
}
