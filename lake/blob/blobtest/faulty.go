package blobtest
