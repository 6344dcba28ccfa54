//! What the standard library lacks and every floor may need. Knows nothing of mail.

mod command;
mod private;
mod visible;

pub use command::run_command;
pub use private::{private_file, private_folder};
pub use visible::{is_hidden, visible};
