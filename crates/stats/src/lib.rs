//! Pure statistics of builds and tests: no I/O, no clock, no records.
