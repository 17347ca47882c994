package curated

import (
	"encoding/binary"
	"math"
)

// Murmur2 is the hash by which Kafka's default partitioner places keys: 32-bit MurmurHash2 by Austin Appleby, with
// Kafka's seed 0x9747b28c, as org.apache.kafka.common.utils.Utils.murmur2 defines it.
func Murmur2(key []byte) int32 {
	const (
		seed = 0x9747b28c
		m    = 0x5bd1e995
		r    = 24
	)
	h := uint32(seed) ^ uint32(len(key))
	for len(key) >= 4 {
		k := binary.LittleEndian.Uint32(key) * m
		k ^= k >> r
		h = h*m ^ k*m
		key = key[4:]
	}
	if len(key) > 0 {
		for i := len(key) - 1; i >= 0; i-- {
			h ^= uint32(key[i]) << (8 * i)
		}
		h *= m
	}
	h ^= h >> 13
	h *= m
	return int32(h ^ h>>15)
}

// Partition is the partition, of n, that Kafka's default partitioner gives to a record of this key. For curated
// records the key is the group key without the window, so that a group's windows and their corrections share a
// partition. n must be positive.
func Partition(key []byte, n int32) int32 {
	return (Murmur2(key) & math.MaxInt32) % n
}
