//! Child processes.

use std::cell::Cell;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::rc::Rc;

use squall_ioloop::process::Subprocess;
use squall_ioloop::{IoLoop, spawn, with_timeout};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{LONG, MS, Outcome, run, stop, unless_it_hangs};

/// A shell that runs a script.
fn shell(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    command
}

#[test]
fn the_exit_status_is_a_future_that_can_be_asked_again() -> Outcome {
    run(async {
        for code in [0, 3] {
            let mut process = Subprocess::spawn(shell(&format!("exit {code}")))?;
            assert!(process.id() > 0);
            let status = with_timeout(LONG, process.wait_for_exit()).await??;
            assert_eq!(status.code(), Some(code));
            assert_eq!(process.wait_for_exit().await?.code(), Some(code));
        }
        Ok(())
    })
}

#[test]
fn pipes_carry_what_the_process_reads_and_writes() -> Outcome {
    run(async {
        let mut command = shell("read line; echo got $line; echo bad >&2");
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut process = Subprocess::spawn(command)?;
        let mut stdin = process.take_stdin().ok_or("no stdin")?;
        let mut stdout = process.take_stdout().ok_or("no stdout")?;
        let mut stderr = process.take_stderr().ok_or("no stderr")?;
        assert!(process.take_stdin().is_none());
        stdin.write_all(b"storm\n").await?;
        let (mut out, mut err) = (String::new(), String::new());
        with_timeout(LONG, stdout.read_to_string(&mut out)).await??;
        with_timeout(LONG, stderr.read_to_string(&mut err)).await??;
        assert_eq!((out.as_str(), err.as_str()), ("got storm\n", "bad\n"));
        assert!(process.wait_for_exit().await?.success());
        Ok(())
    })
}

#[test]
fn waiting_closes_an_input_that_nobody_took() -> Outcome {
    run(async {
        let mut command = Command::new("cat");
        command.stdin(Stdio::piped()).stdout(Stdio::null());
        let mut process = Subprocess::spawn(command)?;
        let status = with_timeout(LONG, process.wait_for_exit()).await??;
        assert!(status.success());
        Ok(())
    })
}

#[test]
fn killing_ends_a_process_also_while_it_is_waited_for() -> Outcome {
    run(async {
        let mut process = Subprocess::spawn(shell("exec sleep 600"))?;
        process.kill().await?;
        assert_eq!(process.wait_for_exit().await?.signal(), Some(libc::SIGKILL));
        process.kill().await?;
        let mut process = Subprocess::spawn(shell("exec sleep 600"))?;
        let signal = Rc::new(Cell::new(None));
        let inner = Rc::clone(&signal);
        let watcher = process.set_exit_callback(move |status| {
            inner.set(status.ok().and_then(|status| status.signal()));
        });
        squall_ioloop::moment().await;
        with_timeout(LONG, process.kill()).await??;
        watcher.await?;
        assert_eq!(signal.get(), Some(libc::SIGKILL));
        process.kill().await?;
        Ok(())
    })
}

#[test]
fn killing_a_process_that_has_ended_is_no_error() -> Outcome {
    run(async {
        let mut process = Subprocess::spawn(Command::new("true"))?;
        assert!(process.wait_for_exit().await?.success());
        process.kill().await?;
        Ok(())
    })
}

#[test]
fn the_exit_callback_runs_and_can_be_taken_away() {
    unless_it_hangs(|| {
        let io_loop = IoLoop::new().expect("a loop");
        let process = Subprocess::spawn(shell("exit 7")).expect("a shell");
        let code = Rc::new(Cell::new(None));
        let inner = Rc::clone(&code);
        let cancelled = process.set_exit_callback(|_| panic!("taken away"));
        cancelled.cancel();
        drop(process.set_exit_callback(move |status| {
            inner.set(status.ok().and_then(|status| status.code()));
            stop();
        }));
        assert!(format!("{process:?}").contains("id"));
        drop(process);
        io_loop.start();
        assert_eq!(code.get(), Some(7));
    });
}

#[test]
fn giving_up_waiting_loses_nothing() -> Outcome {
    run(async {
        let mut command = shell("read line; exit 4");
        command.stdin(Stdio::piped());
        let mut process = Subprocess::spawn(command)?;
        let mut stdin = process.take_stdin().ok_or("no stdin")?;
        assert!(with_timeout(MS, process.wait_for_exit()).await.is_err());
        stdin.write_all(b"\n").await?;
        let status = with_timeout(LONG, process.wait_for_exit()).await??;
        assert_eq!(status.code(), Some(4));
        Ok(())
    })
}

#[test]
fn a_program_that_is_missing_is_named() -> Outcome {
    run(async {
        let err = Subprocess::spawn(Command::new("/no/such/program"))
            .err()
            .ok_or("started")?;
        assert_eq!(err.kind(), std::io::ErrorKind::NotFound);
        let text = err.to_string();
        assert!(
            text.starts_with("cannot start `/no/such/program`: "),
            "{text}"
        );
        Ok(())
    })
}

#[test]
fn several_processes_run_side_by_side() -> Outcome {
    run(async {
        let tasks = (0..8).map(|code| {
            spawn(async move {
                let mut process = Subprocess::spawn(shell(&format!("exit {code}")))?;
                process.wait_for_exit().await
            })
        });
        for (code, task) in tasks.collect::<Vec<_>>().into_iter().enumerate() {
            assert_eq!(task.await??.code(), Some(code as i32));
        }
        Ok(())
    })
}
