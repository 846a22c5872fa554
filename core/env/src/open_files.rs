//! How many files and sockets this process may hold open.

use std::io;

use rustix::io::Errno;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Lets this process hold as many files and sockets open as the system allows it: the soft limit of `RLIMIT_NOFILE` becomes the hard one.
/// Returns how many that are; [`u64::MAX`] if there is no limit.
///
/// For programs that serve many connections, not for libraries: the limit is the whole process's.
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

/// How many files and sockets this process may hold open now; [`u64::MAX`] if there is no limit.
pub fn open_files_max() -> u64 {
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

/// Whether a call failed because the process, or the system, may open no more files: then it did nothing, and may be tried again.
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
