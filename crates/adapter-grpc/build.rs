//! Compiles the definitions in `proto` without `protoc`.

use std::env;
use std::path::{Path, PathBuf};

const SERVICES: [&str; 6] = [
    "status.proto",
    "authentication.proto",
    "discovery.proto",
    "discovery_action.proto",
    "strategy.proto",
    "localization.proto",
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("no OUT_DIR")?);
    println!("cargo:rerun-if-changed=proto");
    compile(&SERVICES, &out)?;
    compile(&["health.proto"], &out)
}

fn compile(files: &[&str], out: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let definitions = protox::compile(files, ["proto"])?;
    // The calls are made by one function of the crate's own, so that each has its deadline and bounds.
    let builder = tonic_prost_build::configure().build_client(false).build_server(false);
    builder.out_dir(out).compile_fds(definitions)?;
    Ok(())
}
