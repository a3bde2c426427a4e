"""The toolkit that every Orderstream service is made with."""
