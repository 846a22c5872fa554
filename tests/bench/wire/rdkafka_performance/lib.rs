//! Empty: Cargo requires a target in each package.
