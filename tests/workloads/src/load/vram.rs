//! A process that holds memory on a GPU, takes more, gives it back, or lets the
//! GPU write where there is none: one order a line of stdin, one line of JSON
//! as answer.

use std::io::{self, BufRead as _};

use anyhow::{Context as _, bail};
use serde_json::{Value, json};

use crate::cli::Vram;
use crate::sys::cuda::{Block, Cuda};
use crate::truth;

/// What a line of stdin asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    /// Take so many bytes more.
    Hold(usize),
    /// Give back what was taken last.
    Free,
    /// Let the GPU write to nowhere.
    Fault,
    /// End.
    End,
}

impl Order {
    fn parse(line: &str) -> anyhow::Result<Self> {
        let mut words = line.split_whitespace();
        let order = match (words.next(), words.next(), words.next()) {
            (Some("hold"), Some(bytes), None) => Self::Hold(
                bytes.parse().with_context(|| format!("hold {bytes}: not a number of bytes"))?,
            ),
            (Some("free"), None, None) => Self::Free,
            (Some("fault"), None, None) => Self::Fault,
            (Some("end"), None, None) => Self::End,
            _ => bail!("{line:?} is no order: hold BYTES, free, fault or end"),
        };
        Ok(order)
    }
}

/// What is held.
#[derive(Default)]
struct Held {
    blocks: Vec<Block>,
    most_bytes: usize,
}

impl Held {
    fn bytes(&self) -> usize {
        self.blocks.iter().map(Block::bytes).sum()
    }

    fn add(&mut self, block: Block) {
        self.blocks.push(block);
        self.most_bytes = self.most_bytes.max(self.bytes());
    }

    fn tell(&self) -> anyhow::Result<()> {
        truth::print(&json!({ "held_bytes": self.bytes() }))
    }
}

pub(crate) fn run(args: &Vram) -> anyhow::Result<Value> {
    let cuda = Cuda::open()?;
    let mut held = Held::default();
    held.add(cuda.allocate(args.bytes)?);
    held.tell()?;
    let mut fault = None;
    for line in io::stdin().lock().lines() {
        match Order::parse(&line.context("read stdin")?)? {
            Order::Hold(bytes) => {
                held.add(cuda.allocate(bytes)?);
                held.tell()?;
            }
            Order::Free => {
                cuda.free(held.blocks.pop().context("free: nothing is held")?)?;
                held.tell()?;
            }
            Order::Fault => {
                let name = cuda.stray_write()?;
                truth::print(&json!({ "fault": name }))?;
                fault = Some(name);
            }
            Order::End => break,
        }
    }
    Ok(json!({ "held_bytes": held.bytes(), "most_bytes": held.most_bytes, "fault": fault }))
}

#[cfg(test)]
mod tests {
    use super::Order;

    #[test]
    fn orders_are_read() {
        for (line, wanted) in [
            ("hold 4096", Order::Hold(4096)),
            ("free", Order::Free),
            ("fault", Order::Fault),
            ("end\r", Order::End),
        ] {
            assert_eq!(Order::parse(line).unwrap(), wanted);
        }
    }

    #[test]
    fn anything_else_is_an_error() {
        for line in ["", "hold", "hold -1", "hold 1 2", "free all", "HOLD 1", "quit"] {
            assert!(Order::parse(line).is_err(), "{line:?}");
        }
    }
}
