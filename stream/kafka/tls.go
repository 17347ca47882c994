package kafka

import "crypto/tls"

// TLSConfig trusts the certificate authorities in caFile (PEM), or the system's when it is "".
func TLSConfig(caFile string) (*tls.Config, error) { panic("not yet") }
