//! The engine of one node: a log in SQLite and one database per instance.
