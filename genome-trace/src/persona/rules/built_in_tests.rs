//! What is recognised without being told, and what only looks like it.

use super::*;
use crate::persona::{Facts, Rules, Values};

const DIGEST: &str = "6a0746a1ec1aef3e7ec53868f220ff6e389f6f8ef87a01d77c96807de94ca2aa";

/// Name and id for an executable and its arguments, which are given with
/// single spaces between them.
fn found(exe: &str, argv: &str) -> Option<(String, Option<String>)> {
    let facts = Facts {
        exe: Some(exe.as_bytes().into()),
        comm: exe.rsplit('/').next().map(|name| name.as_bytes().into()),
        argv: Some(format!("{} ", argv).replace(' ', "\0").into_bytes().into()),
        ..Facts::default()
    };
    let (rules, mut room) = (Rules::new(Vec::new()), String::new());
    let decision = rules.by_program(&Values::of(&facts, &mut room))?.into_decision();
    Some((decision.persona.name, decision.persona.genome_id))
}

#[test]
fn the_text_is_read() {
    let file = read("built_in.toml", TEXT, &Origin::BuiltIn).unwrap();
    assert_eq!(file.rules.len(), TEXT.matches("[[persona]]").count());
    assert_eq!(rules().len(), file.rules.len());
    // Reading it costs a look into /proc at each exec.
    assert!(!Rules::new(Vec::new()).need_cwd());
}

#[test]
fn a_runner_of_ollama_is_its_model() {
    let id = Some("6a0746a1ec1a".to_owned());
    for argv in [
        format!(
            "/usr/local/bin/ollama runner --model /root/.ollama/models/blobs/sha256-{DIGEST} --port 4"
        ),
        format!(
            "/usr/local/bin/ollama runner --ollama-engine --port 4 --model=/My Models/blobs/sha256-{DIGEST}"
        ),
    ] {
        let expected = Some(("ollama 6a0746a1ec1a".to_owned(), id.clone()));
        assert_eq!(found("/usr/local/bin/ollama", &argv), expected, "{argv}");
    }
}

#[test]
fn workers_are_recognised() {
    const PY: &str = "/usr/bin/python3.12";
    const NODE: &str = "/usr/bin/node";
    for (exe, argv, name) in [
        ("/usr/bin/ollama", "ollama runner --model /m/llama3.gguf --port 4", "ollama llama3.gguf"),
        ("/usr/bin/ollama", "/usr/bin/ollama serve", "ollama"),
        (
            "/opt/llama-server",
            "llama-server -m /m/Qwen2.5-7B.Q4.gguf -c 4096",
            "llama.cpp Qwen2.5-7B.Q4",
        ),
        ("/opt/llama-server", "./llama-server --port 1 --model=q.gguf", "llama.cpp q"),
        ("/opt/llama-server", "llama-server -m /m/q.gguf --alias coder", "llama.cpp coder"),
        (
            "/opt/llama-server",
            "llama-server -hf ggml-org/gemma-3-1b-it-GGUF:Q8",
            "llama.cpp ggml-org/gemma-3-1b-it-GGUF:Q8",
        ),
        ("/opt/llama-server", "llama-server", "llama.cpp"),
        (
            PY,
            "/usr/bin/python3 /usr/local/bin/vllm serve meta-llama/Llama-3-8B --port 80",
            "vLLM meta-llama/Llama-3-8B",
        ),
        (PY, "python3 -u -X dev /usr/local/bin/vllm serve --port 80 --model a/b", "vLLM a/b"),
        (PY, "python3 /usr/local/bin/vllm serve a/b --served-model-name coder other", "vLLM coder"),
        (PY, "python3 /usr/local/bin/vllm serve --config x.yaml", "vLLM"),
        (PY, "python3 /usr/local/bin/vllm serve", "vLLM"),
        (PY, "python -m vllm.entrypoints.openai.api_server --model a/b", "vLLM a/b"),
        (
            PY,
            "python -m vllm.entrypoints.openai.api_server --model=a/b --served-model-name=c",
            "vLLM c",
        ),
        (PY, "python -m vllm.entrypoints.openai.api_server", "vLLM"),
        (PY, "python -m vllm.entrypoints.cli.main serve a/b", "vLLM a/b"),
        (
            "/usr/local/bin/text-generation-launcher",
            "text-generation-launcher --model-id a/b",
            "TGI a/b",
        ),
        ("/usr/local/bin/text-generation-launcher", "text-generation-launcher", "TGI"),
        (
            "/usr/local/bin/text-generation-router",
            "text-generation-router --tokenizer-name a/b",
            "TGI a/b",
        ),
        (
            PY,
            "/opt/conda/bin/python3 /opt/conda/bin/text-generation-server serve a/b --json-output",
            "TGI a/b",
        ),
        (PY, "python -m sglang.launch_server --model-path a/b --port 1", "SGLang a/b"),
        (PY, "python /usr/local/bin/sglang serve --model-path a/b", "SGLang a/b"),
        (PY, "python -m sglang.launch_server --model a/b --served-model-name c", "SGLang c"),
        (PY, "python -m sglang.launch_server", "SGLang"),
        (PY, "python main.py", ""),
        (PY, "python3 /opt/ComfyUI/main.py --listen", "ComfyUI"),
        (PY, "python3 -s ComfyUI/main.py", "ComfyUI"),
        (PY, "/venv/bin/python /venv/bin/comfy --workspace /opt/c launch -- --cpu", "ComfyUI"),
        ("/home/u/.local/bin/claude", "claude", "Claude Code"),
        (
            "/home/u/.local/share/claude/versions/2.0.1",
            "/home/u/.local/bin/claude -p x",
            "Claude Code",
        ),
        (NODE, "claude", "Claude Code"),
        (NODE, "node /usr/local/bin/claude --resume", "Claude Code"),
        (
            NODE,
            "node --no-warnings /usr/lib/node_modules/@anthropic-ai/claude-code/cli.js",
            "Claude Code",
        ),
        ("/usr/bin/codex", "codex exec x", "Codex"),
        ("/x/codex-x86_64-unknown-linux-musl", "codex", "Codex"),
        (NODE, "node /usr/lib/node_modules/@openai/codex/bin/codex.js", "Codex"),
        (NODE, "node /usr/bin/codex", "Codex"),
        (NODE, "node --max-old-space-size=8000 /usr/bin/gemini -p x", "Gemini CLI"),
        (NODE, "node /usr/lib/node_modules/@google/gemini-cli/dist/index.js", "Gemini CLI"),
        (NODE, "node /usr/bin/qwen", "Qwen Code"),
        (NODE, "node /usr/lib/node_modules/@qwen-code/qwen-code/dist/index.js", "Qwen Code"),
        ("/home/u/.opencode/bin/opencode", "opencode", "OpenCode"),
        (NODE, "node /usr/lib/node_modules/opencode-ai/bin/opencode", "OpenCode"),
        (PY, "/venv/bin/python /home/u/.local/bin/aider --model x", "aider"),
        (PY, "python -m aider", "aider"),
        ("/usr/bin/goose", "goose session", "Goose"),
        ("/usr/bin/goose", "goose run -t x", "Goose"),
        ("/usr/bin/goose", "goose", "Goose"),
        (
            "/h/.local/share/cursor-agent/versions/1/node",
            "/h/.local/bin/cursor-agent --use-system-ca /h/.local/share/cursor-agent/versions/1/index.js",
            "Cursor Agent",
        ),
        (NODE, "node /h/.local/share/cursor-agent/versions/1/index.js", "Cursor Agent"),
        (NODE, "node /usr/bin/copilot", "GitHub Copilot CLI"),
        (NODE, "node /usr/lib/node_modules/@github/copilot/index.js", "GitHub Copilot CLI"),
        (
            "/usr/lib/node_modules/@github/copilot-linux-x64/copilot",
            "copilot",
            "GitHub Copilot CLI",
        ),
        (PY, "python /venv/bin/openhands serve", "OpenHands"),
        (PY, "python -m openhands.core.main -t x", "OpenHands"),
        (PY, "python /venv/bin/uvicorn openhands.server.listen:app --port 3000", "OpenHands"),
    ] {
        let expected = (!name.is_empty()).then(|| (name.to_owned(), None));
        assert_eq!(found(exe, argv), expected, "{exe}: {argv}");
    }
}

#[test]
fn what_only_looks_like_a_worker_is_nobody() {
    const PY: &str = "/usr/bin/python3";
    const NODE: &str = "/usr/bin/node";
    for (exe, argv) in [
        ("/usr/bin/grep", "grep claude"),
        ("/usr/bin/grep", "grep -r vllm serve x"),
        ("/usr/bin/vim", "vim vllm.py"),
        ("/usr/bin/vim", "vim /usr/local/bin/vllm serve"),
        ("/usr/bin/cat", "cat /opt/ComfyUI/main.py"),
        ("/usr/bin/less", "less /usr/bin/claude"),
        ("/usr/bin/bash", "bash -c claude -p x"),
        ("/usr/bin/bash", "bash /opt/run-llama-server --alias x"),
        ("/usr/bin/tail", "tail -f claude.log"),
        ("/usr/bin/claude-monitor", "claude-monitor"),
        ("/usr/bin/pkill", "pkill ollama serve"),
        ("/usr/bin/ollama", "ollama list"),
        ("/usr/bin/ollama", "ollama run llama3 serve"),
        ("/usr/bin/llama-cli", "llama-cli -m x.gguf"),
        (PY, "python3 train.py --tool claude"),
        (PY, "python3 train.py /usr/local/bin/vllm serve x"),
        (PY, "python3 -c /usr/local/bin/vllm serve x"),
        (PY, "python3 -m pip install vllm"),
        (PY, "python3 -m pytest vllm serve"),
        (PY, "python3 /usr/bin/pip install vllm serve"),
        (PY, "python3 /usr/local/bin/vllm bench serve"),
        (PY, "python3 -m vllm.entrypoints.openai.api_server_test"),
        (PY, "python3 -m pylint /opt/ComfyUI/main.py"),
        (PY, "python3 /opt/NotComfyUI/main.py"),
        (PY, "python3 /venv/bin/comfy install"),
        (PY, "python3 /venv/bin/aider-helper"),
        (PY, "python3 -m http.server aider"),
        (PY, "python3 -m uvicorn app:app"),
        (NODE, "node server.js claude"),
        (NODE, "node server.js /usr/bin/gemini"),
        (NODE, "node -e /usr/bin/claude"),
        (NODE, "node /usr/bin/npm install @anthropic-ai/claude-code"),
        (NODE, "node /opt/mcp-server-claude/index.js"),
        ("/usr/bin/goose", "goose up"),
        ("/usr/bin/goose", "goose postgres dsn status"),
        ("/usr/local/bin/copilot", "copilot svc deploy"),
        ("/usr/bin/text-generation", "text-generation-launcher"),
    ] {
        assert_eq!(found(exe, argv), None, "{exe}: {argv}");
    }
}

#[test]
fn what_is_unknown_is_nobody() {
    assert!(
        Rules::new(Vec::new())
            .by_program(&Values::of(&Facts::default(), &mut String::new()))
            .is_none()
    );
    assert_eq!(found("", ""), None);
}
