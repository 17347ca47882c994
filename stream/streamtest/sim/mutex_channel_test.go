//go:build synctests

package sim

// timeFriendly says that the Kafka client was built with mutexes that a bubble's time passes in.
const timeFriendly = true
