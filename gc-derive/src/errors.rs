//! Errors that are reported together.
//!
//! Whoever mends a definition wants to see all that is wrong with it in one run of the compiler.

/// The errors found so far.
#[derive(Default)]
pub struct Errors(Option<syn::Error>);

impl Errors {
    /// The value of `result`, or nothing, and its error is noted.
    pub fn note<T>(&mut self, result: syn::Result<T>) -> Option<T> {
        let error = match result {
            Ok(value) => return Some(value),
            Err(error) => error,
        };
        match &mut self.0 {
            Some(errors) => errors.combine(error),
            None => self.0 = Some(error),
        }
        None
    }

    /// The value of `result`, unless there are errors, there or here.
    pub fn join<T>(self, result: syn::Result<T>) -> syn::Result<T> {
        match (self.0, result) {
            (None, result) => result,
            (Some(errors), Ok(_)) => Err(errors),
            (Some(mut errors), Err(error)) => {
                errors.combine(error);
                Err(errors)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::*;

    #[test]
    fn errors_are_gathered() {
        let mut errors = Errors::default();
        for text in ["one", "two"] {
            let error = syn::Error::new_spanned(quote!(token), text);
            assert_eq!(errors.note(Err::<(), _>(error)), None);
        }
        assert_eq!(errors.note(Ok(3)), Some(3));
        assert!(matches!(Errors::default().join(Ok(4)), Ok(4)));
        let all = errors.join(Err::<(), _>(syn::Error::new_spanned(
            quote!(token),
            "three",
        )));
        let texts = all.unwrap_err().into_iter().map(|error| error.to_string());
        assert!(texts.eq(["one", "two", "three"]));
    }
}
