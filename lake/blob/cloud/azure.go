package cloud

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strconv"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"gocloud.dev/blob/azureblob"
)

// connectAzure makes the client, with the variables that gocloud.dev and the tools for Azure read. gocloud's names of keys
// hold for some characters (% is __0x25__ there), so that a listing comes in another order than ours.
func connectAzure(ctx context.Context, a address) (*bucket, error) {
	service, err := azureService(a.query)
	if err != nil {
		return nil, err
	}
	transport := connections()
	options := &container.ClientOptions{ClientOptions: policy.ClientOptions{
		Transport: &http.Client{Transport: transport},
		Retry:     policy.RetryOptions{MaxRetries: -1}, // see retry.go
	}}
	client, err := azureClient(service, a.bucket, options)
	if err != nil {
		return nil, err
	}
	store, err := azureblob.OpenBucket(ctx, client, nil)
	if err != nil {
		return nil, errors.New(plain(err))
	}
	return &bucket{store: store, reply: replyAzure, release: transport.CloseIdleConnections}, nil
}

// azureService is where the account is, by the environment and the URL's parameters.
func azureService(query url.Values) (*azureblob.ServiceURLOptions, error) {
	o := azureblob.NewDefaultServiceURLOptions()
	for name := range query {
		value := query.Get(name)
		switch name {
		case "storage_account":
			o.AccountName = value
		case "domain":
			o.StorageDomain = value
		case "protocol":
			o.Protocol = value
		case "localemu":
			yes, err := strconv.ParseBool(value)
			if err != nil {
				return nil, errors.New("localemu is true or false")
			}
			o.IsLocalEmulator = yes
		default:
			return nil, fmt.Errorf("unknown parameter %q; storage_account, domain, protocol and localemu are known", name)
		}
	}
	if o.SASToken != "" && len(query) > 0 {
		return nil, errors.New("with AZURE_STORAGE_SAS_TOKEN the account's place is given by the environment alone: a URL must not send the token elsewhere")
	}
	return o, nil
}

func azureClient(service *azureblob.ServiceURLOptions, name string, o *container.ClientOptions) (*container.Client, error) {
	key, connection := os.Getenv("AZURE_STORAGE_KEY"), os.Getenv("AZURE_STORAGE_CONNECTION_STRING")
	if connection != "" && key == "" && service.SASToken == "" {
		client, err := container.NewClientFromConnectionString(connection, name, o)
		if err != nil {
			return nil, errors.New("AZURE_STORAGE_CONNECTION_STRING can't be read; copy it from the account's access keys")
		}
		return client, nil
	}
	if service.AccountName == "" {
		return nil, fmt.Errorf("no storage account; set AZURE_STORAGE_ACCOUNT, with credentials (%s)", credentialsOf["azblob"])
	}
	at, err := azureblob.NewServiceURL(service)
	if err != nil {
		return nil, errors.New("the account's address can't be made; see AZURE_STORAGE_DOMAIN and AZURE_STORAGE_PROTOCOL (http or https)")
	}
	where, err := url.JoinPath(string(at), name)
	if err != nil {
		return nil, errors.New("the account's address can't be read; see AZURE_STORAGE_DOMAIN")
	}
	switch {
	case key != "":
		shared, err := azblob.NewSharedKeyCredential(service.AccountName, key)
		if err != nil {
			return nil, errors.New("AZURE_STORAGE_KEY can't be read; copy it from the account's access keys")
		}
		return container.NewClientWithSharedKeyCredential(where, shared, o)
	case service.SASToken != "":
		return container.NewClientWithNoCredential(where, o)
	}
	identity, err := azidentity.NewDefaultAzureCredential(nil)
	if err != nil {
		return nil, fmt.Errorf("no credentials; give them by %s", credentialsOf["azblob"])
	}
	return container.NewClient(where, identity, o)
}

func replyAzure(err error) (reply, bool) {
	var response *azcore.ResponseError
	if !errors.As(err, &response) {
		return reply{}, false
	}
	return reply{status: response.StatusCode, code: response.ErrorCode}, true
}
