//! Counting cases.

use std::fmt;

/// What came of the cases of a step.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) passed: usize,
    /// What is wrong, a case a line.
    pub(super) failed: Vec<String>,
    pub(super) skipped: usize,
}

impl Tally {
    pub(super) fn pass(&mut self) {
        self.passed += 1;
    }

    pub(super) fn fail(&mut self, complaint: impl Into<String>) {
        self.failed.push(complaint.into());
    }

    /// Counts a case by what it has to say; the name goes before a complaint.
    pub(super) fn count(&mut self, name: &str, outcome: Result<(), String>) {
        match outcome {
            Ok(()) => self.pass(),
            Err(complaint) => self.fail(format!("{name}: {complaint}")),
        }
    }

    /// Counts the lines of a program that reports its cases: `ok NAME`, `FAIL NAME: why`, `skip NAME: why`.
    /// Other lines mean nothing.
    pub(super) fn read(&mut self, output: &str) {
        for line in output.lines() {
            match line.split_once(' ') {
                Some(("ok", _)) => self.pass(),
                Some(("FAIL", complaint)) => self.fail(complaint.trim()),
                Some(("skip", _)) => {
                    self.skipped += 1;
                    println!("{line}");
                }
                _ => {}
            }
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed.len())?;
        if self.skipped > 0 {
            write!(f, ", {} skipped", self.skipped)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_of_a_program_are_counted() {
        let mut tally = Tally::default();
        tally.read("noise\nok one\nok two\nFAIL three: it was 4\nskip five: not here\n");
        assert_eq!(tally.to_string(), "2 passed, 1 failed, 1 skipped");
        assert_eq!(tally.failed, ["three: it was 4"]);
        assert_eq!(Tally::default().to_string(), "0 passed, 0 failed");
    }
}
