//! What shows that a request comes from the operator.

use std::fmt;
use std::path::{Path, PathBuf};

use reveille_channel::Secret;
use subtle::ConstantTimeEq;

use crate::vault::file;

/// The file of the storage folder that holds it.
pub const TOKEN_FILE: &str = "api.token";

/// Hexadecimal digits of a token: 256 bits.
const DIGITS: usize = 64;

/// The token of one storage folder: whoever can read the folder is its operator. It never shows itself.
#[derive(Clone)]
pub struct ApiToken(Secret);

/// Why there is no token to be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// The file cannot be made or read.
    #[error("{} cannot be used: {reason}", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// The system's word.
        reason: String,
    },
    /// The file holds something else.
    #[error("{} holds no token of {DIGITS} hexadecimal digits", path.display())]
    NoToken {
        /// The file.
        path: PathBuf,
    },
}

impl ApiToken {
    /// The token of a storage folder, made when there is none yet. Only the owner of the file can read it.
    ///
    /// # Errors
    /// See [`TokenError`].
    pub fn of_folder(folder: &Path) -> Result<Self, TokenError> {
        let read = file::of_folder(folder, TOKEN_FILE);
        Self::parse(folder, read.map_err(|error| unusable(folder, &error))?)
    }

    /// The token of a storage folder, if a gateway has made one there.
    ///
    /// # Errors
    /// As [`ApiToken::of_folder`].
    pub fn read(folder: &Path) -> Result<Option<Self>, TokenError> {
        match std::fs::read_to_string(folder.join(TOKEN_FILE)) {
            Ok(text) => Self::parse(folder, Secret::new(text.trim())).map(Some),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(unusable(folder, &error)),
        }
    }

    fn parse(folder: &Path, text: Secret) -> Result<Self, TokenError> {
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if text.expose().len() == DIGITS && text.expose().bytes().all(is_digit) {
            return Ok(Self(text));
        }
        Err(TokenError::NoToken { path: folder.join(TOKEN_FILE) })
    }

    /// Whether this is the token. How long that takes does not depend on where they differ.
    #[must_use]
    pub fn is(&self, presented: &str) -> bool {
        self.0.expose().as_bytes().ct_eq(presented.as_bytes()).into()
    }

    /// The token itself, for the request that carries it.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

impl fmt::Debug for ApiToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiToken([redacted])")
    }
}

fn unusable(folder: &Path, error: &std::io::Error) -> TokenError {
    TokenError::Unusable { path: folder.join(TOKEN_FILE), reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_made_once_known_again_and_never_shown() {
        let folder = tempfile::tempdir().unwrap();
        assert!(ApiToken::read(folder.path()).unwrap().is_none());
        let made = ApiToken::of_folder(folder.path()).unwrap();
        let read = ApiToken::read(folder.path()).unwrap().unwrap();
        assert!(made.is(read.expose()));
        assert!(ApiToken::of_folder(folder.path()).unwrap().is(read.expose()));
        assert_eq!(format!("{made:?}"), "ApiToken([redacted])");
    }

    #[test]
    fn what_is_not_the_token_is_not_it() {
        let folder = tempfile::tempdir().unwrap();
        let token = ApiToken::of_folder(folder.path()).unwrap();
        let (head, last) = token.expose().split_at(DIGITS - 1);
        let other = format!("{head}{}", if last == "0" { "1" } else { "0" });
        for wrong in ["", head, &other, &format!("{} ", token.expose()), &token.expose().to_uppercase()] {
            assert!(!token.is(wrong) || wrong == token.expose(), "{wrong}");
        }
    }

    #[test]
    fn a_file_that_holds_none_is_named_and_not_what_it_holds() {
        let folder = tempfile::tempdir().unwrap();
        for text in ["", "hunter2", &"g".repeat(DIGITS), &"a".repeat(DIGITS + 1)] {
            std::fs::write(folder.path().join(TOKEN_FILE), text).unwrap();
            let error = ApiToken::of_folder(folder.path()).unwrap_err().to_string();
            assert!(error.contains(TOKEN_FILE) && (text.is_empty() || !error.contains(text)), "{error}");
            assert!(ApiToken::read(folder.path()).is_err());
        }
    }
}
