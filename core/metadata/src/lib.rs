//! The cluster image and its records: topics, configs, assignments. Pure
