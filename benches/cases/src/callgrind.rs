//! Instructions, as callgrind counts them: the same program on the same machine gives the same number each time.
//!
//! A program that calls [`count`] is started under valgrind by [`instructions`], in another process that knows the
//! same cases. Each run of a case ends with a dump; the dumps are read in order.

use std::path::Path;
use std::process::{Command, Stdio};
use std::{fs, io};

use crate::{Maker, Run};

/// The function between whose entry and return callgrind counts.
#[inline(never)]
fn the_counted_run(run: &mut Run) {
    run();
    // So that it returns, and does not end with a jump.
    core::hint::black_box(run);
}

/// Runs each once where callgrind counts, after two runs where it does not; first of all nothing, to know what counting
/// costs.
pub fn count(makers: impl IntoIterator<Item = Maker>) {
    let nothing: Run = Box::new(|| ());
    the_counted_run(&mut Box::new(nothing));
    for mut maker in makers {
        maker()();
        maker()();
        let mut run = maker();
        the_counted_run(&mut run);
    }
}

/// Starts `program`, which counts so many cases, under callgrind. `None` if there is no valgrind.
///
/// # Errors
/// If the program fails, or counts another number of cases.
pub fn instructions(program: &Path, arguments: &[String], cases: usize) -> io::Result<Option<Vec<u64>>> {
    let folder = std::env::temp_dir().join(format!("mailwright-benches-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let counted = under_callgrind(&folder, program, arguments, cases);
    fs::remove_dir_all(&folder)?;
    counted
}

fn under_callgrind(
    folder: &Path,
    program: &Path,
    arguments: &[String],
    cases: usize,
) -> io::Result<Option<Vec<u64>>> {
    let name = concat!(module_path!(), "::the_counted_run");
    let mut valgrind = Command::new("valgrind");
    valgrind
        .args(["--tool=callgrind", "--quiet"])
        .arg(format!("--toggle-collect={name}"))
        .arg(format!("--dump-after={name}"))
        .arg(format!("--callgrind-out-file={}", folder.join("dump").display()))
        .arg(program)
        .args(arguments)
        .stdout(Stdio::null());
    let status = match valgrind.status() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        status => status?,
    };
    if !status.success() {
        return Err(io::Error::other(format!("{valgrind:?}: {status}")));
    }
    let number = |at: usize| read(&folder.join(format!("dump.{}", at + 1)));
    let nothing = number(0)?;
    let numbers = (1..=cases).map(|at| Ok(number(at)?.saturating_sub(nothing)));
    numbers.collect::<io::Result<Vec<u64>>>().map(Some)
}

/// The instructions in a dump.
fn read(path: &Path) -> io::Result<u64> {
    let text = fs::read_to_string(path)?;
    let total = text.lines().find_map(|line| line.strip_prefix("totals: "));
    total
        .and_then(|number| number.trim().parse().ok())
        .ok_or_else(|| io::Error::other(format!("no total in {}", path.display())))
}
