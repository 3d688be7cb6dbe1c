//! `squall-load`: loads an HTTP/1.1 server on this machine and checks every byte of every answer.
//!
//! ```sh
//! squall-load --addr 127.0.0.1:8080 --path /plaintext --seconds 5
//! ```

#[path = "../load/program.rs"]
mod load;

fn main() -> std::process::ExitCode {
    load::main()
}
