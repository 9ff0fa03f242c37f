//! What a terminal can draw.

/// The characters that a chart is drawn with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Glyphs {
    /// Braille patterns, blocks and box drawing.
    #[default]
    Unicode,
    /// ASCII alone: blocks of `#`.
    Ascii,
}

impl Glyphs {
    /// By the locale's variables, in the order in which locale(7) heeds them:
    /// the first that is set and not empty says it. Where none is, the locale
    /// is `C`.
    #[must_use]
    pub fn of_locale(lc_all: Option<&str>, lc_ctype: Option<&str>, lang: Option<&str>) -> Self {
        let set = [lc_all, lc_ctype, lang].into_iter().flatten().find(|value| !value.is_empty());
        let codeset =
            set.and_then(|value| value.split_once('.')).map_or("", |(_, codeset)| codeset);
        let codeset = codeset.split('@').next().unwrap_or_default().replace('-', "");
        if codeset.eq_ignore_ascii_case("utf8") { Self::Unicode } else { Self::Ascii }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_that_is_set_says_it() {
        for (variables, glyphs) in [
            ([None, None, Some("en_US.UTF-8")], Glyphs::Unicode),
            ([None, None, Some("de_DE.utf8@euro")], Glyphs::Unicode),
            ([Some("C.UTF-8"), None, None], Glyphs::Unicode),
            ([Some("C"), None, Some("en_US.UTF-8")], Glyphs::Ascii),
            ([Some(""), Some("en_US.ISO-8859-1"), Some("en_US.UTF-8")], Glyphs::Ascii),
            ([None, None, None], Glyphs::Ascii),
        ] {
            let [all, ctype, lang] = variables;
            assert_eq!(Glyphs::of_locale(all, ctype, lang), glyphs, "{variables:?}");
        }
    }
}
