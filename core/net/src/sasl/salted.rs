//! Caches the salted password of SCRAM for all connections: computing it takes thousands of hashes.

use bytes::Bytes;
use parking_lot::Mutex;

/// The password of a user with the last requested salt. May be used concurrently; other callers wait for a running
/// computation.
#[derive(Default)]
pub(super) struct SaltedPassword(Mutex<Option<CachedPassword>>);

struct CachedPassword {
    salt: Bytes,
    iterations: u32,
    password: Bytes,
}

impl SaltedPassword {
    /// The password with this salt and iterations. Calls `compute` if it is not cached.
    pub(super) fn get(
        &self,
        salt: &[u8],
        iterations: u32,
        compute: impl FnOnce() -> Bytes,
    ) -> Bytes {
        let mut known = self.0.lock();
        if let Some(salted) = &*known
            && salted.salt == salt
            && salted.iterations == iterations
        {
            return salted.password.clone();
        }
        let password = compute();
        *known = Some(CachedPassword {
            salt: Bytes::copy_from_slice(salt),
            iterations,
            password: password.clone(),
        });
        password
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn a_password_is_salted_once_for_each_salt_and_number_of_iterations() {
        let salted = SaltedPassword::default();
        let computed = Cell::new(0);
        let get = |salt: &[u8], iterations, password: &'static [u8]| {
            salted.get(salt, iterations, || {
                computed.set(computed.get() + 1);
                Bytes::from_static(password)
            })
        };
        assert_eq!(get(b"a", 4_096, b"1"), "1");
        assert_eq!(get(b"a", 4_096, b"2"), "1");
        assert_eq!(computed.get(), 1);
        assert_eq!(get(b"b", 4_096, b"3"), "3");
        assert_eq!(get(b"b", 8_192, b"4"), "4");
        assert_eq!(get(b"b", 8_192, b"5"), "4");
        assert_eq!(computed.get(), 3);
    }
}
