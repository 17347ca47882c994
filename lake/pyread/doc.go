// Package pyread proves that others read the lake's files: its test lands
// records and reads them back with fastavro and with DuckDB, neither of which
// shares anything with the writer. It has no code of its own and upholds no
// law; what it guards is FORMAT.md's promise that a raw file is an ordinary
// Avro container file.
package pyread
