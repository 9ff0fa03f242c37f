//! What to do about an alert: commands that show it, stop it for now, or keep
//! it from coming back.

use crate::{
    model::{Anomaly, Basis, Persona, Rule},
    render::{
        text::ShellWord,
        units::{Bytes, Elapsed},
    },
};

/// One thing a line, what to look at first.
pub(super) fn advice(anomaly: &Anomaly) -> Vec<String> {
    let mut advice = Vec::new();
    match anomaly.rule {
        Rule::MassCreate | Rule::FileChurn => {
            advice.extend(follow(anomaly, "file_create,file_unlink"));
            advice.extend(folder(anomaly));
            advice.extend(pause(anomaly));
        }
        Rule::DuplicateFiles => {
            advice.extend(folder(anomaly));
            advice.extend(pause(anomaly));
        }
        Rule::MemorySpike | Rule::MemoryLeak => {
            advice.extend(report(anomaly));
            advice.extend(course(anomaly, "rss_bytes"));
            advice.push(
                "give it a limit before the machine has none left (MemoryMax= of its unit, or \
                 `systemd-run --scope -p MemoryMax=8G …`)"
                    .to_owned(),
            );
        }
        Rule::MemoryLimit => memory_limit(anomaly, &mut advice),
        Rule::VramSpike | Rule::VramLeak | Rule::VramLimit => {
            advice.push("see who holds GPU memory: `genome-trace --stats`".to_owned());
            advice.extend(course(anomaly, "vram_bytes"));
            advice.push(
                "give it smaller batches or a shorter context, or move it to a GPU with room"
                    .to_owned(),
            );
        }
        Rule::StuckCpu => {
            advice.extend(pid(anomaly).map(|pid| {
                format!("see where it is: `sudo perf top -p {pid}`, or `sudo gdb -p {pid}`")
            }));
            advice.extend(report(anomaly));
            advice.extend(pause(anomaly));
        }
        Rule::WriteStorm => {
            advice.extend(follow(anomaly, "file_write"));
            advice.push("see what is left of the disk: `df -h`".to_owned());
            advice.extend(pause(anomaly));
        }
        Rule::ThreadGrowth => {
            advice.extend(pid(anomaly).map(|pid| format!("see them: `ps -L -p {pid}`")));
            advice.extend(course(anomaly, "threads"));
        }
        Rule::OpenFiles => {
            advice.extend(
                pid(anomaly).map(|pid| format!("see what is open: `sudo ls -l /proc/{pid}/fd`")),
            );
            advice.push(
                "close what is done with, or raise the limit (LimitNOFILE= of its unit, or \
                 `ulimit -n`)"
                    .to_owned(),
            );
        }
        Rule::SpawnStorm => {
            advice.extend(follow(anomaly, "exec,exit"));
            advice.push(
                "slow it down where it is restarted (RestartSec= and StartLimitBurst= of its \
                 unit), or bound it (TasksMax=)"
                    .to_owned(),
            );
            advice.extend(pause(anomaly));
        }
        Rule::CrashLoop | Rule::OomLoop => {
            advice.push(crashes(anomaly));
            advice.push(
                "keep it from starting again until that is mended: `systemctl stop` its unit"
                    .to_owned(),
            );
        }
    }
    advice
}

fn pid(anomaly: &Anomaly) -> Option<u32> {
    anomaly.process.as_ref().map(|process| process.key.tgid)
}

fn name(persona: &Persona) -> String {
    ShellWord(persona.name.as_bytes()).to_string()
}

fn follow(anomaly: &Anomaly, kinds: &str) -> Option<String> {
    let whose = match (&anomaly.persona, pid(anomaly)) {
        (Some(persona), _) => format!("--persona={}", name(persona)),
        (None, Some(pid)) => format!("--pid={pid}"),
        (None, None) => return None,
    };
    Some(format!("see it happen: `sudo genome-trace --follow {whose} --kind={kinds}`"))
}

fn folder(anomaly: &Anomaly) -> Option<String> {
    let folder = anomaly.files.as_ref().map(|files| files.folder.as_str())?;
    // A name that begins with a dash is no option.
    let folder = ShellWord(folder.as_bytes());
    Some(format!("see what is there: `ls -U -- {folder} | head`, `du -sh -- {folder}`"))
}

/// A stop that can be taken back.
fn pause(anomaly: &Anomaly) -> Option<String> {
    pid(anomaly).map(|pid| {
        format!("hold it: `sudo kill -STOP {pid}`; let it go on: `sudo kill -CONT {pid}`")
    })
}

fn report(anomaly: &Anomaly) -> Option<String> {
    let persona = anomaly.persona.as_ref()?;
    let genome_id = persona.genome_id.as_deref()?;
    Some(format!(
        "see its processes: `genome-trace --genome-id={}`",
        ShellWord(genome_id.as_bytes())
    ))
}

fn course(anomaly: &Anomaly, metric: &str) -> Option<String> {
    let persona = name(anomaly.persona.as_ref()?);
    Some(format!(
        "see how it went: `genome-trace --history=24h --persona={persona} --metric={metric}`"
    ))
}

fn crashes(anomaly: &Anomaly) -> String {
    let whose = anomaly.persona.as_ref();
    let whose = whose.map_or_else(String::new, |persona| format!(" --persona={}", name(persona)));
    format!("see why: `genome-trace --crashes --all --last=1h{whose}`")
}

fn memory_limit(anomaly: &Anomaly, advice: &mut Vec<String>) {
    let Basis::Limit { limit } = anomaly.basis else { return };
    if anomaly.persona.is_none() {
        advice.push("see who has it: `genome-trace --stats`".to_owned());
        return;
    }
    // The casts end at what u64 can hold.
    let left = (limit - anomaly.measured).max(0.0);
    let left = match anomaly.slope_per_hour.filter(|slope| *slope > 0.0) {
        Some(slope) => {
            let until_ns = (left / slope * 3.6e12) as u64;
            format!("{} left, reached in {}", Bytes(left as u64), Elapsed(until_ns))
        }
        None => format!("{} left", Bytes(left as u64)),
    };
    advice.push(format!(
        "{left}: raise the limit (MemoryMax= of its unit, memory.max of its cgroup), or end it in \
         good order before the OOM killer does"
    ));
    advice.extend(course(anomaly, "rss_bytes"));
}
