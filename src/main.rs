//! Arguments → one command → exit code.

fn main() -> simpost::cli::Exit {
    simpost::cli::main()
}
