//! Writes the seeds: run it when transcripts have changed. Seeds that were added by hand stay.

use std::{fs, io};

use mailwright_fuzz::seeds;

fn main() -> io::Result<()> {
    for (target, name, octets) in seeds::make()? {
        let folder = seeds::folder().join(target);
        fs::create_dir_all(&folder)?;
        fs::write(folder.join(name), octets)?;
    }
    Ok(())
}
