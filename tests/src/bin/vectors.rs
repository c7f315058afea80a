//! `cargo xtask vectors FILE`: reports reproduced, not expressible (why), wrong; exit code 0 when none is wrong.

use std::process::ExitCode;

use strongroom_tests::vectors::{Verdict, run};

fn main() -> ExitCode {
    let Some(path) = std::env::args_os().nth(1) else {
        eprintln!("vectors: name a file");
        return ExitCode::from(2);
    };
    let verdicts = std::fs::read_to_string(&path).map_err(|error| error.to_string()).and_then(|text| run(&text));
    let verdicts = match verdicts {
        Ok(verdicts) => verdicts,
        Err(error) => {
            eprintln!("vectors: {}: {error}", path.to_string_lossy());
            return ExitCode::from(2);
        }
    };
    let (mut reproduced, mut not_expressible, mut wrong) = (0, 0, 0);
    for (name, verdict) in verdicts {
        match verdict {
            Verdict::Reproduced => {
                reproduced += 1;
                println!("reproduced       {name}");
            }
            Verdict::NotExpressible(why) => {
                not_expressible += 1;
                println!("not expressible  {name}: {why}");
            }
            Verdict::Wrong(how) => {
                wrong += 1;
                println!("WRONG            {name}: {how}");
            }
        }
    }
    println!("{reproduced} reproduced, {not_expressible} not expressible, {wrong} wrong");
    if wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
