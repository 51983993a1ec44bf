//! Zip archives, read by ranges from a store: no input panics, hangs or needs memory.

#![no_main]

mod stored;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|file: &[u8]| stored::read("Covid19Casos.zip", file));
