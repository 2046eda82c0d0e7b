//! Arguments in, exit code out.

use std::process::ExitCode;

fn main() -> ExitCode {
    // An error here says that somebody installed a provider already, which is as good.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    // Only test builds have fault points; they are set by the variable FAILPOINTS.
    let _faults = fail::has_failpoints().then(fail::FailScenario::setup);
    reveille::cli::main(std::env::args_os())
}
