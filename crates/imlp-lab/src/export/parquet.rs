//! Apache Parquet: every column is optional, one row group.

use std::io::Write;
use std::sync::Arc;

use parquet::basic::{Compression, ConvertedType, Repetition, Type as Physical};
use parquet::data_type::{ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::{Type, TypePtr};

use crate::trial_table::{Cell, Column, ColumnType, TrialTable};

/// Writes `table`; an error is given as text.
pub(super) fn write(table: &TrialTable, out: &mut (dyn Write + Send)) -> Result<(), String> {
    written(table, out).map_err(|error| error.to_string())
}

fn written(table: &TrialTable, out: &mut (dyn Write + Send)) -> Result<(), ParquetError> {
    let properties = WriterProperties::builder()
        .set_compression(Compression::UNCOMPRESSED)
        .build();
    let mut writer = SerializedFileWriter::new(out, schema(table)?, Arc::new(properties))?;
    let mut group = writer.next_row_group()?;
    for (index, head) in table.columns.iter().enumerate() {
        let cells = table.rows.iter().map(|row| &row[index]);
        match head.column_type {
            ColumnType::Integer => column::<Int64Type>(&mut group, cells, |cell| match cell {
                Cell::Integer(value) => Some(*value),
                _ => None,
            }),
            ColumnType::Float => column::<DoubleType>(&mut group, cells, |cell| match cell {
                Cell::Float(value) => Some(*value),
                _ => None,
            }),
            ColumnType::Text => column::<ByteArrayType>(&mut group, cells, |cell| match cell {
                Cell::Text(text) => Some(ByteArray::from(text.as_str())),
                _ => None,
            }),
        }?;
    }
    group.close()?;
    writer.close()?;
    Ok(())
}

fn schema(table: &TrialTable) -> Result<TypePtr, ParquetError> {
    let fields = table.columns.iter().map(|Column { name, column_type }| {
        let (physical, converted) = match column_type {
            ColumnType::Integer => (Physical::INT64, ConvertedType::NONE),
            ColumnType::Float => (Physical::DOUBLE, ConvertedType::NONE),
            ColumnType::Text => (Physical::BYTE_ARRAY, ConvertedType::UTF8),
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

/// Writes the next column: its values, and for each row whether it has one.
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
