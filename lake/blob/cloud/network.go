package cloud

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/url"
	"strings"
)

// network judges an error that isn't a server's answer. All of them may have come after the server did what was asked.
func network(err error, scheme string) (kind, string, string) {
	var certificate *tls.CertificateVerificationError
	var authority x509.UnknownAuthorityError
	if errors.As(err, &certificate) || errors.As(err, &authority) {
		return other, "the server's certificate isn't trusted: " + plain(err), "add its authority to the system's (SSL_CERT_FILE), or correct the endpoint"
	}
	text := err.Error()
	for _, sign := range []string{"failed to refresh cached credentials", "get credentials", "DefaultAzureCredential", "oauth2:", "no EC2 IMDS role", "could not find default credentials"} {
		if strings.Contains(text, sign) {
			return denied, "no credentials could be had", "give them by " + credentialsOf[scheme]
		}
	}
	var on net.Error
	var at *url.Error
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &on) || errors.As(err, &at) {
		return lost, "no answer: " + plain(err), "see whether the store runs and this machine reaches it"
	}
	return other, plain(err), ""
}

// plain is an error's text without the request's URL, which may be signed.
func plain(err error) string {
	var at *url.Error
	if errors.As(err, &at) {
		return at.Err.Error()
	}
	return strings.Join(strings.Fields(err.Error()), " ")
}
