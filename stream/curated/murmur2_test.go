package curated

import "testing"

// TestMurmur2 has the vectors of Kafka's own UtilsTest.testMurmur2 (invariant 4).
func TestMurmur2(t *testing.T) {
	for key, want := range map[string]int32{
		"21": -973932308, "foobar": -790332482, "a-little-bit-long-string": -985981536,
		"a-little-bit-longer-string":                       -1486304829,
		"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
		"abc": 479470107,
	} {
		if got := Murmur2([]byte(key)); got != want {
			t.Errorf("murmur2(%q) = %d, want %d", key, got, want)
		}
	}
}

// TestPartition: the airports of the flights go where Kafka's default partitioner puts them; 2 of 4 stays empty.
func TestPartition(t *testing.T) {
	for key, want := range map[string]int32{"JFK": 1, "EWR": 3, "LGA": 0} {
		if got := Partition([]byte(key), 4); got != want {
			t.Errorf("partition of %s is %d, want %d", key, got, want)
		}
	}
	for i := range 1000 { // the top bit is cleared, so that no hash gives a negative number
		key := []byte{byte(i), byte(i >> 8)}
		if p := Partition(key, 7); p < 0 || p >= 7 {
			t.Fatalf("partition of %x is %d of 7", key, p)
		}
	}
}
