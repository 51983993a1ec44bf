//! Text files: UTF-8, UTF-16 and what is neither.

#![no_main]

mod stored;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|file: &[u8]| stored::read("Covid19Casos.csv", file));
