//! A command's runs, and what is different from earlier ones: for people, as
//! JSON, JUnit's XML, Markdown, and for GitHub.

#[cfg(test)]
mod documented;
mod github;
mod json;
mod junit;
mod markdown;
mod report;
#[cfg(test)]
mod sample;
#[cfg(test)]
mod tests;
mod words;

pub use github::write_github;
pub use json::write_json;
pub use junit::write_junit;
pub use markdown::write_markdown;
pub use report::write_text;
