//! Clock, chance and files: the real ones, in memory, and seeded ones that fail
