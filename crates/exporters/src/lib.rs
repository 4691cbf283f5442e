//! Records out to other systems, each in its own dialect.
