// Package kafka is the only importer of the Kafka client.
package kafka
