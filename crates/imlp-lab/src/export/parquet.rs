//! Apache Parquet: every column is optional, one row group.

use std::io::Write;
use std::sync::Arc;

use parquet::basic::{Compression, ConvertedType, Repetition, Type as Physical};
use parquet::data_type::{ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::{Type, TypePtr};

use crate::rows::{Cell, Kind, Rows};

/// Writes `rows`; an error in words.
pub(super) fn write(rows: &Rows, out: &mut (dyn Write + Send)) -> Result<(), String> {
    written(rows, out).map_err(|error| error.to_string())
}

fn written(rows: &Rows, out: &mut (dyn Write + Send)) -> Result<(), ParquetError> {
    let properties = WriterProperties::builder()
        .set_compression(Compression::UNCOMPRESSED)
        .build();
    let mut writer = SerializedFileWriter::new(out, schema(rows)?, Arc::new(properties))?;
    let mut group = writer.next_row_group()?;
    for (index, (_, kind)) in rows.columns.iter().enumerate() {
        let cells = rows.rows.iter().map(|row| &row[index]);
        match kind {
            Kind::Whole => column::<Int64Type>(&mut group, cells, |cell| match cell {
                Cell::Whole(value) => Some(*value),
                _ => None,
            }),
            Kind::Number => column::<DoubleType>(&mut group, cells, |cell| match cell {
                Cell::Number(value) => Some(*value),
                _ => None,
            }),
            Kind::Text => column::<ByteArrayType>(&mut group, cells, |cell| match cell {
                Cell::Text(text) => Some(ByteArray::from(text.as_str())),
                _ => None,
            }),
        }?;
    }
    group.close()?;
    writer.close()?;
    Ok(())
}

fn schema(rows: &Rows) -> Result<TypePtr, ParquetError> {
    let fields = rows.columns.iter().map(|(name, kind)| {
        let (physical, converted) = match kind {
            Kind::Whole => (Physical::INT64, ConvertedType::NONE),
            Kind::Number => (Physical::DOUBLE, ConvertedType::NONE),
            Kind::Text => (Physical::BYTE_ARRAY, ConvertedType::UTF8),
        };
        let field = Type::primitive_type_builder(name, physical)
            .with_converted_type(converted)
            .with_repetition(Repetition::OPTIONAL)
            .build()?;
        Ok(Arc::new(field))
    });
    let fields = fields.collect::<Result<_, ParquetError>>()?;
    let schema = Type::group_type_builder("trials").with_fields(fields);
    Ok(Arc::new(schema.build()?))
}

/// Writes the next column: the values that are there, and for each row whether
/// it has one.
fn column<'a, T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, &mut (dyn Write + Send)>,
    cells: impl Iterator<Item = &'a Cell>,
    value: impl Fn(&Cell) -> Option<T::T>,
) -> Result<(), ParquetError> {
    let (mut values, mut present) = (Vec::new(), Vec::new());
    for cell in cells {
        let value = value(cell);
        present.push(i16::from(value.is_some()));
        values.extend(value);
    }
    let mut column = group
        .next_column()?
        .ok_or_else(|| ParquetError::General("the schema lacks a column".to_owned()))?;
    column
        .typed::<T>()
        .write_batch(&values, Some(&present), None)?;
    column.close()
}
