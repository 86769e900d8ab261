//! SafeTensors files: read tensor by tensor, written tensor by tensor, or held
//! in memory as a whole.

pub(crate) mod bytes;
mod foreign;
mod header;
pub(crate) mod natural_order;
pub(crate) mod new_file;
pub(crate) mod tensor_file;
pub(crate) mod weights_file;
