//! The program of the image. `covidctl` has the same entry inside.

use std::process::ExitCode;

fn main() -> ExitCode {
    etl::cli::main(std::env::args_os())
}
