//! Deliberate faults, to prove that tests fail with them.

/// Defines `Mutant`, the deliberate faults of a crate, and `is_active`, which returns whether one of them is active.
///
/// Without the crate's feature `mutants`, `is_active` is a constant `false`. With it, the environment variable
/// `HEADWATER_MUTANT` selects the active one.
///
/// ```ignore
/// headwater_env::mutants! {
///     /// Batches are sent in any order.
///     IgnoreOrder = "ignore-order",
/// }
/// ```
#[macro_export]
macro_rules! mutants {
    ($($(#[$doc:meta])* $mutant:ident = $name:literal,)*) => {
        /// A deliberate fault.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Mutant {
            $($(#[$doc])* $mutant,)*
        }

        /// Whether this fault is active.
        #[cfg(not(feature = "mutants"))]
        pub(crate) const fn is_active(_mutant: Mutant) -> bool {
            false
        }

        /// Whether this fault is active.
        #[cfg(feature = "mutants")]
        pub(crate) fn is_active(mutant: Mutant) -> bool {
            static ACTIVE: std::sync::LazyLock<Option<Mutant>> = std::sync::LazyLock::new(|| {
                match std::env::var("HEADWATER_MUTANT").ok()?.as_str() {
                    $($name => Some(Mutant::$mutant),)*
                    _ => None,
                }
            });
            *ACTIVE == Some(mutant)
        }
    };
}
