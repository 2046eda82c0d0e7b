//! CommonMark pieces: splitting a reply's text so that no message breaks a code fence, a link or a character.
