//! The operator's terminal: everything is in the library, so that tests and benchmarks can reach it.

fn main() -> std::process::ExitCode {
    covidctl::main()
}
