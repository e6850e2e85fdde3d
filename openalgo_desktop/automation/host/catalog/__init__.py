"""What is hosted: files, folders and manifests of users, and the rows that are kept of them."""
