"""What the views of points share: the cloud, its picture, its plane, what is selected in it."""
